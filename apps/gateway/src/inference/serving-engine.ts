import type { ModelToServe, TokenEngine, WeightsId } from '@attune/engine';

/** What the gateway asks of its engine; `EngineHost`, an engine in a process of its own, offers it. */
export interface ServingEngine extends TokenEngine {
  /** Reads a PEFT folder, which must stay there. Loading an adapter that is there already does no harm. */
  loadAdapter(folder: string): Promise<WeightsId>;
  /**
   * Serves another model: new requests take it, answers under way end on what they began on.
   * @throws ConflictError when the files are not what the digests name; nothing changes then
   */
  swapModel(model: ModelToServe): Promise<WeightsId>;
  /** Whether a request sent now would start without waiting for the engine's process. */
  readonly ready: boolean;
  /** Times the engine's process had to be replaced. */
  readonly restarts: number;
}
