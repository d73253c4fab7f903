import { EngineError } from '../../types.ts';

const anotherEngine = 'or choose another engine (--engine onnx)';

/** The driver that WebGPU needs, by operating system. */
const drivers: { readonly [platform: string]: string } = {
  linux:
    "install Vulkan's loader (libvulkan.so.1; Debian: libvulkan1) and the Vulkan driver of your card, and see that VK_ICD_FILENAMES, if it is set, names that driver",
  darwin: 'a Mac with Metal is needed, outside of a virtual machine',
  win32: 'install the driver of your card; Direct3D 12 is needed',
};

/** What a model's session failed of: where there is no device, an EngineError with the remedy. */
export function explainRefusal(error: unknown, platform: string = process.platform): unknown {
  const message = messageOf(error);
  const [, reason] = /Failed to get a WebGPU (?:adapter|device): ?([^\n]*)/.exec(message) ?? [];
  if (reason === undefined) return error;
  const remedy = `${drivers[platform] ?? 'install the driver of your card'}, ${anotherEngine}`;
  return new EngineError(
    `the engine 'onnx:webgpu': there is no device for WebGPU (${reason.trim() || 'no adapter'}). Remedy: ${remedy}`,
    { cause: error },
  );
}

/** What ends a step or a copy, in one line, with what to do where that is known. */
export function explainFailure(error: unknown): string {
  const message = firstLine(messageOf(error));
  if (/device.{0,20}lost|lost.{0,20}device/i.test(message))
    return `the device was lost: ${message}. What it held is gone: start again from a checkpoint, in another process, ${anotherEngine}`;
  if (/out of memory|exceed|too large|CreateBuffer|Invalid Buffer/i.test(message))
    return `${message}. The device has no room for a tensor of this step: take smaller batches (microBatch), ${anotherEngine}`;
  return message;
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function firstLine(message: string): string {
  return message.trim().split('\n')[0]!.trim().replace(/\.+$/, '');
}
