import type { TokenEngine, WeightsId } from '@attune/engine';

/** What the gateway asks of its engine; `EngineHost`, an engine in a process of its own, offers it. */
export interface ServingEngine extends TokenEngine {
  /** Reads a PEFT folder, which must stay there. Loading an adapter that is there already does no harm. */
  loadAdapter(folder: string): Promise<WeightsId>;
  /**
   * Serves another model of the same tokenizer: new requests take it, answers under way end on what they began on.
   * @param adapterFolder an adapter of it that is live from its first request on
   */
  swapModel(folder: string, adapterFolder?: string): Promise<WeightsId>;
  /** Whether a request sent now would start without waiting for the engine's process. */
  readonly ready: boolean;
  /** Times the engine's process had to be replaced. */
  readonly restarts: number;
}
