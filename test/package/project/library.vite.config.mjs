export default {
  build: {
    outDir: 'bundled/vite',
    lib: { entry: 'contract.mjs', formats: ['es'], fileName: 'contract' },
  },
}
