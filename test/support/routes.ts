import { endpoints, type Role } from '@attune/contracts';

const all = Object.values(endpoints).flat();
/** `x` stands for any id. */
const place = (path: string) => path.replaceAll(/\{\w+\}/g, 'x');

/** Every route of the HTTP API that asks for a key: method, path, and the least role. */
export const routes = all
  .filter(({ role }) => role !== 'none')
  .map(({ method, path, role = 'user' }) => [method.toUpperCase(), place(path), role as Role] as const);
