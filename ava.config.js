export default {
  files: ['dist/test/**/*.test.js'],
  require: ['./dist/test/support/property-seed.js'],
  timeout: '3m',
  concurrency: 2,
  workerThreads: false,
}
