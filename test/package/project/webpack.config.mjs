export default {
  target: 'node',
  mode: 'production',
  entry: './contract.mjs',
  output: { path: `${import.meta.dirname ?? process.cwd()}/bundled`, filename: 'webpack.cjs' },
}
