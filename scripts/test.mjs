// `npm test`: makes the checkout runnable, then runs the test projects one after the other, the fast ones first.
// Everything after `--` goes to vitest: `npm test -- libs/engine`, `npm test -- --project e2e -t "rolls back"`.
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { prepare, root } from './prepare.mjs';

const PROJECTS = ['unit', 'synthetic', 'parity', 'trajectory', 'e2e', 'browser'];

prepare();
const given = process.argv.slice(2);
const named = given.some((parameter) => parameter === '--project' || parameter.startsWith('--project='));
const runs = named ? [[]] : PROJECTS.map((project) => ['--project', project]);
const results = runs.map((parameters) => run([...parameters, ...given]));
if (!named) summarise(results);
process.exit(results.every((result) => result.passed) ? 0 : 1);

function run(parameters) {
  const vitest = path.join(root, 'node_modules', 'vitest', 'vitest.mjs');
  const start = performance.now();
  const options = { cwd: root, stdio: 'inherit' };
  const { status } = spawnSync(process.execPath, [vitest, 'run', '--passWithNoTests', ...parameters], options);
  return { passed: status === 0, seconds: (performance.now() - start) / 1000 };
}

function summarise(results) {
  console.log('\nproject      result   time');
  for (const [index, { passed, seconds }] of results.entries()) {
    console.log(`${PROJECTS[index].padEnd(12)} ${passed ? 'passed' : 'FAILED'} ${seconds.toFixed(1).padStart(7)} s`);
  }
}
