import { UnavailableError } from '@attune/platform';
import { describe, expect, it } from 'vitest';
import type { Device, DeviceKind } from './types.js';
import { makeWhereWished } from './where-wished.js';

const runtimeWith = (chosen: DeviceKind | null, opens = true) => ({
  chooseDevice: () => ({ kind: chosen, reason: chosen ? 'it is fast' : 'the system shows no GPU' }),
  openDevice: async (kind: DeviceKind) => {
    if (!opens) throw new UnavailableError(`no ${kind} device can be used here`);
    return { kind } as Device;
  },
});
const nameOf = async (device: Device | null) => device?.kind ?? 'here';

describe('makeWhereWished', () => {
  it('takes the device that is named without asking whether it is worth it', async () => {
    const made = await makeWhereWished(runtimeWith(null), 'cuda', nameOf);
    expect(made).toEqual({ made: 'cuda', device: 'cuda' });
  });

  it('fails with what is missing when the device that is named cannot be used', async () => {
    await expect(makeWhereWished(runtimeWith('cuda', false), 'cuda', nameOf)).rejects.toThrow('no cuda device');
  });

  it('says why auto takes a device, or takes none', async () => {
    const taken = await makeWhereWished(runtimeWith('webgpu'), 'auto', nameOf);
    expect(taken).toEqual({ made: 'webgpu', device: 'webgpu', deviceReason: 'it is fast' });
    const none = await makeWhereWished(runtimeWith(null), 'auto', nameOf);
    expect(none).toEqual({ made: 'here', device: 'cpu', deviceReason: 'the system shows no GPU' });
  });

  it('falls back from auto where the work itself fails on the device', async () => {
    const make = async (device: Device | null) => {
      if (device) throw new Error('out of memory');
      return 'made here';
    };
    const { made, deviceReason } = await makeWhereWished(runtimeWith('webgpu'), 'auto', make);
    expect(made).toBe('made here');
    expect(deviceReason).toBe('webgpu failed: out of memory');
    await expect(makeWhereWished(runtimeWith('webgpu'), 'webgpu', make)).rejects.toThrow('out of memory');
  });
});
