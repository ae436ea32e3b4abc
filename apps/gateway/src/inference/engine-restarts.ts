/** Tells whoever asked that the engine's process was replaced, and answers again. */
export class EngineRestarts {
  private readonly listeners: (() => void)[] = [];

  listen(listener: () => void): void {
    this.listeners.push(listener);
  }

  tell(): void {
    for (const listener of this.listeners) listener();
  }
}
