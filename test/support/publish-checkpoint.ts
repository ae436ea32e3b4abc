import path from 'node:path';
import { CheckpointStore, readModelFolder, type CheckpointContent } from '@attune/checkpoint';
import { CheckpointRepository, type Checkpoint } from '@attune/persistence';
import { createId, createRandom } from '@attune/platform';
import { testModel, type TestGateway } from './gateway.js';

const MODULE = 'model.layers.0.mlp.down_proj';

/** Puts trained weights on disk and into the database, as a job whose checkpoint passed its gate does. */
export async function publishCheckpoint(
  gateway: TestGateway,
  content: Pick<CheckpointContent, 'adapter' | 'model'>,
  baseDigest = gateway.loaded.model.baseDigest,
): Promise<Checkpoint> {
  const checkpoints = new CheckpointRepository(gateway.dataSource);
  const id = createId('ckpt');
  const lineage = { parentId: null, jobId: null, baseModel: gateway.model, baseDigest, objectives: ['sft'], seed: 1 };
  const store = new CheckpointStore(path.join(gateway.dataDir, 'checkpoints'));
  const manifest = { ...lineage, datasetRowIds: [], config: {}, metrics: {} };
  const { adapterDigest, weightsDigest } = await store.publish(id, { ...content, manifest });
  const row = { id, jobId: null, parentId: null, baseDigest, adapterDigest, weightsDigest, folder: id, metrics: {} };
  await checkpoints.add(row);
  return checkpoints.setGateReport(id, { passed: true, checks: [], suite: [], samples: [] });
}

/**
 * A random adapter of the test model, strong enough to change every answer.
 * @param baseDigest of the model it is said to be trained over
 */
export async function publishAdapter(gateway: TestGateway, seed: number, baseDigest?: string): Promise<Checkpoint> {
  const [out, width] = (await readModelFolder(testModel!)).shape(`${MODULE}.weight`);
  const random = createRandom(seed);
  const noise = (length: number) => Float32Array.from({ length }, () => random.normal());
  const tensors = new Map([[MODULE, { a: noise(4 * width!), b: noise(4 * out!) }]]);
  return publishCheckpoint(gateway, { adapter: { rank: 4, alpha: 8, tensors } }, baseDigest);
}

/** The test model with one matrix turned upside down. */
export async function publishFull(gateway: TestGateway): Promise<Checkpoint> {
  const { names, config, tensor } = await readModelFolder(testModel!);
  const tensors = new Map(names.map((name) => [name, tensor(name)]));
  tensors.get(`${MODULE}.weight`)!.data.reverse();
  return publishCheckpoint(gateway, { adapter: null, model: { config, tensors } });
}
