import { ConflictError } from '@attune/platform';

/** @throws ConflictError `weights_changed` when files hold other weights than they must */
export function expectDigest(what: string, found: string | null, wanted: string): void {
  if (found === wanted) return;
  throw new ConflictError(`${what} has the digest ${found}, not ${wanted}: its files have changed; restore them`, {
    code: 'weights_changed',
  });
}
