import { stat } from 'node:fs/promises';
import path from 'node:path';
import { InvalidRequestError } from '@attune/platform';
import { downloadModel, type DownloadOptions, type DownloadProgress } from './download-model.js';
import { parseModelId } from './model-id.js';

export interface ResolveModelOptions {
  /** Downloads go to `<dataDir>/models/`. */
  readonly dataDir: string;
  /** The model that comes with the project. */
  readonly bundledFolder: string;
  /** HF_TOKEN. */
  readonly token?: string;
  /** HF_ENDPOINT. */
  readonly endpoint?: string;
  readonly onProgress?: (progress: DownloadProgress) => void;
  readonly signal?: AbortSignal;
  /** Waits and limits of the transfer; for tests. */
  readonly transfer?: DownloadOptions['transfer'];
}

/** Where a model lies, and what it is called at the API. */
export interface ResolvedModel {
  readonly folder: string;
  readonly name: string;
  readonly source: 'bundled' | 'folder' | 'hub';
}

/**
 * Finds the folder of a MODEL setting: `bundled`, an existing folder, or `owner/name[@revision]` on the hub, which is
 * downloaded unless it is there already (then no network is needed).
 * @throws InvalidRequestError, NotFoundError, ForbiddenError or UnavailableError with one sentence
 */
export async function resolveModel(setting: string, options: ResolveModelOptions): Promise<ResolvedModel> {
  if (setting === 'bundled') return named(options.bundledFolder, 'bundled');
  const info = await stat(setting).catch(() => undefined);
  if (info?.isDirectory()) return named(path.resolve(setting), 'folder');
  const id = parseModelId(setting);
  if (!id) {
    throw new InvalidRequestError(
      `MODEL=${setting} is neither \`bundled\`, nor an existing folder, nor a hub id such as HuggingFaceTB/SmolLM2-135M-Instruct`,
      { param: 'MODEL', code: 'model_not_found' },
    );
  }
  const folder = await downloadModel(id, { ...options, modelsFolder: path.join(options.dataDir, 'models') });
  return { folder, name: id.repo, source: 'hub' };
}

const named = (folder: string, source: ResolvedModel['source']) => ({ folder, name: path.basename(folder), source });
