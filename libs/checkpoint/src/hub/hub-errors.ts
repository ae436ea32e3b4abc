import { HubApiError } from '@huggingface/hub';
import {
  AppError,
  CancelledError,
  ForbiddenError,
  InvalidRequestError,
  NotFoundError,
  UnauthenticatedError,
  UnavailableError,
  messageOf,
} from '@attune/platform';
import type { ModelId } from './model-id.js';

export interface HubContext {
  readonly id: ModelId;
  readonly endpoint: string;
  readonly token?: string;
}

/** A transfer answered with a status that is not a success. */
export class TransferStatusError extends Error {
  constructor(
    readonly statusCode: number,
    readonly url: string,
  ) {
    super(`${url} answered ${statusCode}`);
  }
}

/** One sentence on what went wrong and what to do, for anything the hub or the network threw. */
export function explainHubError(thrown: unknown, context: HubContext): AppError {
  if (thrown instanceof AppError) return thrown;
  if (thrown instanceof Error && thrown.name === 'AbortError') {
    return new CancelledError(`The download of ${context.id.repo} was stopped; starting again goes on from there`);
  }
  const status = statusOf(thrown);
  return status ? explainStatus(status, thrown, context) : explainNetwork(thrown, context);
}

/** Whether trying again may help: a broken connection, a busy or failing server; not a refusal. */
export function isTransient(thrown: unknown): boolean {
  if (thrown instanceof AppError || (thrown instanceof Error && thrown.name === 'AbortError')) return false;
  const status = statusOf(thrown);
  return status === undefined || status === 408 || status === 429 || status >= 500;
}

function statusOf(thrown: unknown): number | undefined {
  return thrown instanceof HubApiError || thrown instanceof TransferStatusError ? thrown.statusCode : undefined;
}

function explainStatus(status: number, cause: unknown, { id, endpoint, token }: HubContext): AppError {
  const details = { cause, param: 'MODEL' };
  if (status === 401) {
    return new UnauthenticatedError(
      token
        ? `${endpoint} does not accept HF_TOKEN for ${id.repo}; make a new read token or check the name`
        : `${endpoint} lets nobody read ${id.repo} without a token: it is gated or private, or there is no such model; set HF_TOKEN or check the name`,
      details,
    );
  }
  if (status === 403) {
    return new ForbiddenError(
      `HF_TOKEN may not read ${id.repo}: the model is gated; ask for access on its page at ${endpoint}/${id.repo}`,
      details,
    );
  }
  if (status === 404) {
    return new NotFoundError(
      `${endpoint} has no model ${id.repo} with the revision ${id.revision}; check MODEL`,
      details,
    );
  }
  if (status === 416) {
    return new UnavailableError(`${endpoint} has a shorter file than it lists for ${id.repo}; start again`, details);
  }
  const what = status === 429 ? 'limits the rate' : `failed with status ${status}`;
  return new UnavailableError(
    `${endpoint} ${what} while ${id.repo} was downloaded; start again later, what is there is kept`,
    details,
  );
}

function explainNetwork(thrown: unknown, { id, endpoint }: HubContext): AppError {
  if (messageOf(thrown).includes("must start with 'hf_'")) {
    return new InvalidRequestError('HF_TOKEN is no access token of the hub: they start with hf_', {
      param: 'HF_TOKEN',
    });
  }
  return new UnavailableError(
    `${id.repo} could not be downloaded from ${endpoint} (${reasonOf(thrown)}); check the network or HF_ENDPOINT, or set MODEL to a folder or to \`bundled\``,
    { cause: thrown, param: 'MODEL' },
  );
}

/** fetch hides the reason one level down: `TypeError: fetch failed`, cause `ECONNREFUSED`. */
function reasonOf(thrown: unknown): string {
  const cause = thrown instanceof Error ? (thrown.cause as NodeJS.ErrnoException | undefined) : undefined;
  return cause?.code ?? cause?.message ?? messageOf(thrown);
}
