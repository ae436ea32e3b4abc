/** What a request's `model` asks for. */
export type ModelName =
  | { readonly kind: 'live' }
  | { readonly kind: 'base' }
  | { readonly kind: 'checkpoint'; readonly id: string }
  | { readonly kind: 'unknown' };

const CHECKPOINT = /^ckpt_[A-Za-z0-9_-]+$/;

/**
 * `<model>` or `default`: whatever is live; `<model>:base`: no adapter; `<model>:<checkpoint>` or the checkpoint's id
 * alone: that one.
 */
export function parseModelName(name: string, modelId: string): ModelName {
  if (name === modelId || name === 'default') return { kind: 'live' };
  const rest = name.startsWith(`${modelId}:`) ? name.slice(modelId.length + 1) : name;
  if (rest === 'base' && rest !== name) return { kind: 'base' };
  return CHECKPOINT.test(rest) ? { kind: 'checkpoint', id: rest } : { kind: 'unknown' };
}

/** The name that asks for one checkpoint. */
export const checkpointModelName = (modelId: string, checkpointId: string): string => `${modelId}:${checkpointId}`;
