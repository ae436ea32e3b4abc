import { parseModelConfig } from '@attune/models';
import { createRandom } from '@attune/platform';
import type { Runtime, Session } from '@attune/runtime';
import { describe, expect, it } from 'vitest';
import { sft } from '../objectives/sft.js';
import { AdamW } from '../optimizers/adamw.js';
import { initialParameters } from '../step/parameters.js';
import { DeviceMemory } from './device-memory.js';
import { DeviceTrainStep } from './device-train-step.js';
import { ordinaryDevice } from './ordinary-device.fixture.js';

const config = parseModelConfig({
  architectures: ['LlamaForCausalLM'],
  vocab_size: 11,
  hidden_size: 8,
  intermediate_size: 8,
  num_hidden_layers: 1,
  num_attention_heads: 2,
  num_key_value_heads: 1,
  max_position_embeddings: 16,
  tie_word_embeddings: true,
});
const trainable = initialParameters(config, createRandom(1), 0.3);

/** Sessions that are only made and released. @param room how many can be open */
function sessionsOnly(room: number, failure?: Error) {
  const told = { open: 0 };
  const release = () => {
    told.open--;
    if (failure) throw failure;
  };
  const createSession = async () => {
    if (told.open === room) throw new Error('no session is left');
    told.open++;
    return { inputNames: [], bind: () => ({}), release } as unknown as Session;
  };
  return { told, runtime: { createSession } as unknown as Runtime };
}

const create = (memory: DeviceMemory, runtime: Runtime) =>
  DeviceTrainStep.create({ config, objective: sft(), trainable, runtime, memory, optimizer: new AdamW(), clipNorm: 1 });

describe('a training step on a device', () => {
  it.each([1, 2])('leaves nothing there when only so many of its three sessions can be made: %i', async (room) => {
    const { device, count } = ordinaryDevice();
    const { told, runtime } = sessionsOnly(room);
    await expect(create(new DeviceMemory(device), runtime)).rejects.toThrow('no session is left');
    expect({ tensors: count(), sessions: told.open }).toEqual({ tensors: 0, sessions: 0 });
  });

  it.each([1, 2, 3])(
    'leaves nothing there when there is room for so many sets of arrays and one more: %i',
    async (sets) => {
      const { device, count } = ordinaryDevice(sets * trainable.size + 1);
      const { told, runtime } = sessionsOnly(Infinity);
      await expect(create(new DeviceMemory(device), runtime)).rejects.toThrow('no room is left');
      expect({ tensors: count(), sessions: told.open }).toEqual({ tensors: 0, sessions: 0 });
    },
  );

  it('frees what it can when a session cannot be released, and says so', async () => {
    const { device, count } = ordinaryDevice();
    const { told, runtime } = sessionsOnly(Infinity, new Error('the driver is stuck'));
    const step = await create(new DeviceMemory(device), runtime);
    expect(told.open).toBe(3);
    await expect(step.release()).rejects.toThrow('the driver is stuck');
    expect({ tensors: count(), sessions: told.open }).toEqual({ tensors: 0, sessions: 0 });
  });
});
