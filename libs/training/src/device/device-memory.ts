import { InternalError } from '@attune/platform';
import type { Device, DeviceTensor, HostTensor } from '@attune/runtime';
import type { FrozenSet } from '../step/parameters.js';
import type { PlacedParameters } from './placed-parameters.js';

/** One parameter's copy on the device. */
interface Place {
  readonly tensor: Promise<DeviceTensor>;
  holders: number;
  /** Whether the copy has values that the array has not. */
  isNewer: boolean;
}

/**
 * Says what becomes of work that failed on a device: returns where the CPU is to do it, and everything after it, and throws
 * otherwise. Whatever is lost to a failure (`isLost`) cannot be gone on from.
 */
export type FailureJudge = (failure: unknown, isLost: boolean) => void;

const rethrow: FailureJudge = (failure) => {
  throw failure;
};
const yes = () => true;
const no = () => false;

/**
 * Parameters on a device: one copy of each, however many steps and scorers work with it, for as long as one of them holds
 * it. A step that changes copies says so, and whoever reads the arrays fetches first.
 */
export class DeviceMemory {
  private readonly places = new Map<HostTensor, Place>();
  private givenUp = false;

  /** @param judge without it nothing that fails there is done on the CPU instead */
  constructor(
    readonly device: Device,
    private readonly judge: FailureJudge = rethrow,
  ) {}

  /** Whether new work is to be done on the CPU, the device having failed. */
  get isGivenUp(): boolean {
    return this.givenUp;
  }

  /**
   * Gives the device up for the CPU after work on it has failed, with all arrays brought up to date before.
   * @param isLost whether something that only the device knew is known to be lost
   * @throws what the judge of failures makes of this one, where the CPU cannot or should not take over
   */
  async giveUp(failure: unknown, isLost = false): Promise<void> {
    if (this.givenUp) return;
    const isWhole = !isLost && (await this.fetchChanged().then(yes, no));
    this.judge(failure, !isWhole);
    this.givenUp = true;
  }

  /** Bytes of the parameters that lie on the device now. */
  get bytes(): number {
    return [...this.places.keys()].reduce((sum, { data }) => sum + data.byteLength, 0);
  }

  /** The copies of some parameters, made where there are none yet; to be let go of again. */
  async hold(parameters: FrozenSet): Promise<PlacedParameters> {
    const held = new Map<string, HostTensor>();
    const tensors = new Map<string, DeviceTensor>();
    try {
      for (const [name, parameter] of parameters) {
        held.set(name, parameter);
        tensors.set(name, await this.take(parameter));
      }
    } catch (error) {
      await this.letGo(held);
      throw error;
    }
    return { device: this.device, tensors };
  }

  /** Notes that these copies have other values now than their arrays. */
  changed(parameters: FrozenSet): void {
    for (const parameter of parameters.values()) this.placeOf(parameter).isNewer = true;
  }

  /** Brings the arrays up to date with copies that were changed. */
  fetch(parameters: FrozenSet): Promise<void> {
    return this.fetchChanged(parameters.values());
  }

  /** Brings the copies, as far as anybody still reads them, up to date with arrays that were written. */
  async push(parameters: FrozenSet): Promise<void> {
    if (this.givenUp) return;
    for (const parameter of parameters.values()) {
      const place = this.places.get(parameter);
      if (!place) continue;
      await this.device.copy(parameter, await place.tensor);
      place.isNewer = false;
    }
  }

  /** Frees the copies that nobody holds any more; what was not fetched is lost. */
  async letGo(parameters: FrozenSet): Promise<void> {
    for (const parameter of parameters.values()) {
      const place = this.placeOf(parameter);
      if (--place.holders > 0) continue;
      this.places.delete(parameter);
      // One that could not be made has nothing to free.
      (await place.tensor.catch(() => null))?.release();
    }
  }

  private async fetchChanged(parameters: Iterable<HostTensor> = this.places.keys()): Promise<void> {
    for (const parameter of parameters) {
      const place = this.places.get(parameter);
      if (!place?.isNewer) continue;
      await this.device.copy(await place.tensor, parameter);
      place.isNewer = false;
    }
  }

  private take(parameter: HostTensor): Promise<DeviceTensor> {
    const known = this.places.get(parameter);
    if (known) {
      known.holders++;
      return known.tensor;
    }
    const tensor = this.device.tensor(parameter.dtype, parameter.shape, parameter);
    this.places.set(parameter, { tensor, holders: 1, isNewer: false });
    return tensor;
  }

  private placeOf(parameter: HostTensor): Place {
    const place = this.places.get(parameter);
    if (!place) throw new InternalError('a parameter is let go of, or said to be changed, that is not on the device');
    return place;
  }
}
