import type { SessionOptions } from './types.js';

/** The session settings that ONNX Runtime takes as text. */
export function configEntries(options: SessionOptions): Record<string, string> {
  return {
    'session.intra_op.allow_spinning': options.spinning === false ? '0' : '1',
    'session.set_denormal_as_zero': '1',
    ...(options.disablePrepacking ? { 'session.disable_prepacking': '1' } : {}),
    // Lets `Session.leftToCpu` answer.
    ...(options.device ? { 'session.record_ep_graph_assignment_info': '1' } : {}),
    ...options.config,
  };
}
