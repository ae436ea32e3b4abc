import {
  responseRequest,
  retrieveResponseQuery,
  type ResponseRequest,
  type RetrieveResponseQuery,
} from '@attune/contracts';
import { validate } from '../core/validate.js';

/** The body of POST /v1/responses. @throws InvalidRequestError naming the field that is wrong or does not exist */
export const readResponseRequest = (body: unknown): ResponseRequest => validate(responseRequest, body ?? {});

/** The query string of GET /v1/responses/{id}. @throws InvalidRequestError */
export const readRetrieveQuery = (query: unknown): RetrieveResponseQuery =>
  validate(retrieveResponseQuery, plainQuery(query));

/** Clients write lists as `include[]=a&include[]=b`. */
export function plainQuery(query: unknown): Record<string, unknown> {
  const entries = Object.entries((query ?? {}) as Record<string, unknown>);
  return Object.fromEntries(entries.map(([name, value]) => [name.replace(/\[\d*\]$/, ''), value]));
}
