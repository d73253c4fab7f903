/** Classes of peco-exp's own errors, whose messages say it all, and that which has no name of its own. */
const plain = new Set([
  'Error',
  'PecoError',
  'StageError',
  'EngineError',
  'FormatError',
  'PickleError',
  'ProvisionError',
  'ZipError',
]);

/**
 * The message of an error, with its class where that says something: `TypeError: x is not a function` is a fault of the
 * code, `EngineError: ...` is peco-exp's way to say it. An error without a message is its class.
 */
export function namedMessage({ name, message }: Error): string {
  if (message === '') return String(name);
  return plain.has(name) || name === 'AggregateError' ? message : `${name}: ${message}`;
}
