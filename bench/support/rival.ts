import { type ChildProcess, fork, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('../../rivals/', import.meta.url));

/** Installs what we are measured against into bench/rivals, once; the product itself never needs it. */
export function installRivals(): void {
  if (existsSync(path.join(folder, 'node_modules', 'node-llama-cpp'))) return;
  console.log('Installing node-llama-cpp and @huggingface/transformers into bench/rivals …');
  const flags = ['install', '--ignore-scripts', '--no-package-lock', '--no-audit', '--no-fund'];
  const { status } = spawnSync('npm', flags, { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] });
  if (status !== 0) throw new Error('npm could not install bench/rivals; is the registry within reach?');
}

/** A contender in its own process: two ONNX Runtimes, or two thread pools, would get in each other's way in one. */
export class Rival {
  private readonly child: ChildProcess;

  constructor(script: 'llama-cpp' | 'transformers-js') {
    this.child = fork(path.join(folder, `${script}.mjs`), { cwd: folder, serialization: 'advanced' });
  }

  get pid(): number {
    return this.child.pid!;
  }

  /** Runs one of the script's calls. @returns what it measured, milliseconds */
  call(name: string, parameters: object): Promise<number> {
    return new Promise((resolve, reject) => {
      const ended = () => reject(new Error('the rival process ended'));
      this.child.once('exit', ended);
      this.child.once('message', (answer: { value: number; error?: string }) => {
        this.child.off('exit', ended);
        if (answer.error) reject(new Error(answer.error));
        else resolve(answer.value);
      });
      this.child.send({ call: name, ...parameters });
    });
  }

  close(): void {
    this.child.disconnect();
  }
}
