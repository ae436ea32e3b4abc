/**
 * ONNX Runtime's softmax turns every masked score into a subnormal number, and arithmetic on those is slow: as zeros
 * they cost a third.
 */
export const SUBNORMALS_AS_ZERO: Readonly<Record<string, string>> = { 'session.set_denormal_as_zero': '1' };
