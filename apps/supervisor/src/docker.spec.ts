import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { settings } from '@attune/platform';
import { describe, expect, it } from 'vitest';

const root = path.resolve(import.meta.dirname, '../../..');
const read = (file: string) => readFileSync(path.join(root, 'docker', file), 'utf8');
const known = new Set(Object.values(settings).flatMap((group) => Object.keys(group)));
/** Names that are Docker's, Node's or PostgreSQL's own. */
const foreign = /^(NODE_ENV|POSTGRES_\w+)$/;

describe('the files in docker/', () => {
  it.each(['Dockerfile', 'compose.yaml'])('%s runs programs that the build makes', (file) => {
    const programs = [...read(file).matchAll(/apps\/\w+\/dist\/[\w-]+\.js/g)].map(([program]) => program);
    expect(programs.length).toBeGreaterThan(0);
    for (const program of programs) {
      const source = program.replace('/dist/', '/src/').replace('.js', '.ts');
      expect(existsSync(path.join(root, source)), source).toBe(true);
    }
  });

  it('sets only settings that exist', () => {
    const inCompose = [...read('compose.yaml').matchAll(/^\s+([A-Z][A-Z_]+):/gm)].map(([, name]) => name);
    const inImage = [...read('Dockerfile').matchAll(/([A-Z][A-Z_]+)=/g)].map(([, name]) => name);
    const unknown = [...inCompose, ...inImage].filter((name) => !known.has(name) && !foreign.test(name));
    expect(inCompose).toContain('DATABASE_URL');
    expect(unknown).toEqual([]);
  });

  it('has the trainer stand back: a priority counts for nothing outside its container', () => {
    const trainer = /^ {2}trainer:\n((?: {4}.*\n)+)/m.exec(read('compose.yaml'))![1]!;
    expect(Number(/^ {4}cpu_shares: (\d+)$/m.exec(trainer)?.[1])).toBe(2);
    expect(read('compose.yaml').match(/cpu_shares/g)).toHaveLength(1);
  });

  it('keeps installed packages and data out of the build', () => {
    const ignored = readFileSync(path.join(root, '.dockerignore'), 'utf8').split('\n');
    expect(ignored).toEqual(expect.arrayContaining(['**/node_modules', 'data', '.git']));
  });
});
