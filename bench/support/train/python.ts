import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Git does not see it: `.venv/` is ignored. */
const VENV = fileURLToPath(new URL('../../../.venv', import.meta.url));

/**
 * An interpreter with PyTorch: the one named by `--python`, or a private virtual environment in bench/.venv, made when
 * it is first wanted (about 3 GB from PyPI).
 * @throws Error when neither works
 */
export function torchPython(options: readonly string[]): string {
  const at = options.indexOf('--python');
  const python = at >= 0 ? options[at + 1]! : `${VENV}/bin/python`;
  if (at < 0 && !existsSync(python)) makeEnvironment(python);
  const { status } = spawnSync(python, ['-c', 'import torch'], { stdio: 'ignore' });
  if (status !== 0) throw new Error(`${python} cannot import torch; name another with --python`);
  return python;
}

function makeEnvironment(python: string): void {
  console.log('Installing PyTorch into bench/.venv …');
  const commands = [
    ['python3', '-m', 'venv', VENV],
    [python, '-m', 'pip', 'install', '--quiet', 'torch>=2.6', 'numpy'],
  ];
  for (const [command, ...args] of commands) {
    const { status } = spawnSync(command!, args, { stdio: 'inherit' });
    if (status !== 0) throw new Error(`"${[command, ...args].join(' ')}" failed; name a Python with --python`);
  }
}
