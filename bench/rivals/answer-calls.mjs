/** Answers every message { call, ... } with what the call of that name returns, until the process that asks has gone. */
export function answerCalls(calls) {
  process.on('message', async ({ call, ...parameters }) => {
    try {
      process.send({ value: (await calls[call](parameters)) ?? 0 });
    } catch (error) {
      process.send({ error: String(error?.stack ?? error) });
    }
  });
  process.on('disconnect', () => process.exit(0));
}
