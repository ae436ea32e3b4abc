import { resolveModel, type DownloadProgress } from '@attune/checkpoint';
import { EngineHost } from '@attune/engine';
import { reportProgress, type Config, type Logger } from '@attune/platform';
import { Tokenizer } from '@attune/tokenizer';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { EngineRestarts } from './engine-restarts.js';
import { ServedModel } from './served-model.js';
import type { ServingEngine } from './serving-engine.js';

/** The model that comes with the project, seen from this file's source or its build alike. */
const BUNDLED_FOLDER = fileURLToPath(new URL('../../../../models/attune-mini', import.meta.url));
const MOST_THREADS = 8;
/** Weights that are live for a shorter time are not worth a copy of the model. */
const MERGE_AFTER_MS = 2_000;

export interface LoadedModel {
  engine: ServingEngine;
  restarts: EngineRestarts;
  model: ServedModel;
}

/**
 * Finds or downloads the model, starts the engine's process on it and reads its tokenizer.
 * @throws AppError with one sentence when the model cannot be served
 */
export async function loadModel(config: Config, logger: Logger): Promise<LoadedModel> {
  const { model: settings, storage } = config;
  const { folder, name } = await resolveModel(settings.model, {
    dataDir: storage.dataDir,
    bundledFolder: BUNDLED_FOLDER,
    token: settings.hfToken,
    endpoint: settings.hfEndpoint,
    onProgress: progressTeller(),
  });
  const tokenizer = await Tokenizer.fromFolder(folder);
  reportProgress(`loading ${name}`);
  const restarts = new EngineRestarts();
  const engine = await EngineHost.start({
    model: folder,
    format: settings.engineWeights,
    kv: settings.engineKv,
    device: settings.engineDevice,
    slots: settings.engineSlots,
    threads: threadsFor(settings.engineThreads, availableParallelism()),
    maxSeq: settings.engineMaxContext || undefined,
    digestCache: path.join(storage.dataDir, 'digests'),
    mergeLiveAfterMs: settings.engineMergeLive ? MERGE_AFTER_MS : undefined,
    onCrash: (reason) => logger.error(`the engine process ended: ${reason}; it is started again`),
    onRestarted: () => {
      logger.warn('the engine process is up again');
      restarts.tell();
    },
  });
  const { limits, live, format, device, deviceReason } = await engine.stats();
  logger.info({ model: name, format, device, deviceReason, ...limits }, `serving ${name} on ${device}`);
  const created = Math.floor(Date.now() / 1000);
  const facts = { id: name, tokenizer, context: limits.maxSeq, baseDigest: live.base, folder, created };
  return { engine, restarts, model: new ServedModel(facts) };
}

/** Half the cores, at least 1 and at most 8, unless the setting names a number. */
const threadsFor = (setting: number, cores: number): number =>
  setting || Math.max(1, Math.min(MOST_THREADS, Math.floor(cores / 2)));

function progressTeller(): (progress: DownloadProgress) => void {
  let told = -1;
  return ({ repo, doneBytes, totalBytes }) => {
    const percent = Math.floor((100 * doneBytes) / Math.max(1, totalBytes));
    if (percent === told) return;
    told = percent;
    reportProgress(`downloading ${repo} (${percent} %)`);
  };
}
