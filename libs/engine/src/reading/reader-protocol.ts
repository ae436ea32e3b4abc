import type { EngineFailure } from '@attune/contracts';
import type { AdapterLayout } from '../adapters-prepared.js';

export interface ReaderRequest {
  readonly id: number;
  readonly folder: string;
}

export interface ReaderReply {
  readonly id: number;
  readonly outcome: { readonly layout: AdapterLayout } | { readonly failure: EngineFailure };
}
