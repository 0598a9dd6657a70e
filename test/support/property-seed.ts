/**
 * Loaded before every test file: property tests draw the same values on every run, so that a commit
 * passes or fails for what it changes. `PROPERTY_SEED=7 npx ava …` draws others, and
 * `PROPERTY_SEED=random` others each time; a failure prints its seed.
 */
import fc from 'fast-check'

const wanted = process.env['PROPERTY_SEED'] ?? '20240803'
if (wanted !== 'random') fc.configureGlobal({ seed: Number(wanted) })
