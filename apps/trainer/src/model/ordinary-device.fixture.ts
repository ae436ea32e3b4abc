import type { Device, DeviceTensor, HostTensor, Runtime } from '@attune/runtime';

/** What is asked for before a pass, or an update of the optimizer's, is made on the device; throws to let it fail. */
export type BeforeWork = (what: 'pass' | 'update', count: number) => void;

/** A device whose memory is this process's own, and a runtime that runs its sessions on the CPU. */
export function ordinaryDevice(inner: Runtime, before: BeforeWork) {
  let tensors = 0;
  const counts = { pass: 0, update: 0 };
  const device: Device = {
    kind: 'cuda',
    tensor: async (dtype, shape, values) => {
      tensors++;
      const made = { dtype, shape, data: values!.data.slice(), device: 'cuda', release: () => void tensors-- };
      return made as unknown as DeviceTensor;
    },
    copy: async (from, to) => (to as HostTensor).data.set((from as HostTensor).data as never),
    copySync: () => undefined,
  };
  const createSession: Runtime['createSession'] = async (model, options) => {
    const session = await inner.createSession(model, { ...options, device: undefined });
    if (!options?.device) return session;
    const told =
      <T>(what: 'pass' | 'update', work: () => Promise<T>) =>
      async () => {
        before(what, ++counts[what]);
        return work();
      };
    return {
      inputNames: session.inputNames,
      outputNames: session.outputNames,
      bind: (inputs, outputs) => {
        const bound = session.bind(inputs, outputs);
        const isUpdate = session.outputNames.some((name) => name.startsWith('first '));
        return { ...bound, run: isUpdate ? told('update', () => bound.run()) : () => bound.run() };
      },
      run: (inputs, outputs) => told('pass', () => session.run(inputs, outputs))(),
      runSync: (inputs, outputs) => session.runSync(inputs, outputs),
      leftToCpu: () => ({}),
      release: () => session.release(),
    };
  };
  const runtime = Object.assign(Object.create(inner) as Runtime, { createSession });
  return { device, runtime, countTensors: () => tensors };
}
