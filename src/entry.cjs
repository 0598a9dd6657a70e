// The package's door. Bundlers take in what a door requires by name, and the library cannot live in
// a bundle: its threads are files of their own, and parts of its packages are native. So this
// requires it in a way that they do not see, and in a bundle it looks for the installed package, as
// if that had been marked as external. The build appends the names of what it exports.
const load = Reflect.get(module, 'require')
// Only Node's own `module`, and those of test frameworks, can require.
if (typeof load === 'function') module.exports = load.call(module, `${__dirname}/library.cjs`)
else module.exports = installed()

function installed() {
  // In a bundle `require` may be anything.
  const { createRequire } = process.getBuiltinModule('node:module')
  const bundle = typeof __filename === 'string' ? [__filename] : []
  for (const from of [...bundle, process.argv[1], `${process.cwd()}/bundle`]) {
    let file
    try {
      file = createRequire(from).resolve('odradek')
    } catch {
      continue
    }
    return createRequire(file)(file)
  }
  const error = new Error(
    'odradek is in a bundle, and the package is not installed where that runs: mark it as external (esbuild --external:odradek) and install it there',
  )
  error.name = 'StartError'
  throw error
}
