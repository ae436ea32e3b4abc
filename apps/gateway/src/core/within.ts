/** What it resolves to, or undefined when that takes longer; it goes on meanwhile. */
export function within<Value>(ms: number, promise: Promise<Value>): Promise<Value | undefined> {
  let timer: NodeJS.Timeout;
  const late = new Promise<undefined>((resolve) => (timer = setTimeout(() => resolve(undefined), ms).unref()));
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
