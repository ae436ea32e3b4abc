import { tellNativeLibraries } from '@attune/platform';

/**
 * ONNX Runtime's published libraries report their use to their maker's servers, and keep a device number and a database
 * in the home folder for it. What people ask here is nobody else's affair, nor is that they do: nothing leaves the
 * machine. The library looks when its environment is made, so this comes before it is loaded.
 * https://github.com/microsoft/onnxruntime/blob/main/docs/Privacy.md
 */
export const disableTelemetry = (): void => tellNativeLibraries('ORT_DISABLE_TELEMETRY', '1');
