import type { EngineFailure } from '@attune/contracts';
import type { AdapterLayout } from '../adapters-prepared.js';

export type ReaderRequest =
  | { readonly id: number; readonly folder: string }
  /** Memory of an adapter that has left, to lay out another in. */
  | { readonly given: ArrayBuffer };

export interface ReaderReply {
  readonly id: number;
  readonly outcome: { readonly layout: AdapterLayout } | { readonly failure: EngineFailure };
}
