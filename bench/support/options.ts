import { isShapeName, type ShapeName } from './shapes.js';

/** The value after `--name` on the command line. */
export function option(name: string, fallback: string): string {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? fallback : (process.argv[at + 1] ?? fallback);
}

/** The shape that is named on the command line. */
export const shapeOption = (fallback: ShapeName): ShapeName => process.argv.slice(2).find(isShapeName) ?? fallback;
