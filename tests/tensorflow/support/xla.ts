/** The warnings of this process, from now on, that something runs without XLA: they are added to the list as they come. */
export function warningsWithoutXla(): readonly string[] {
  const warnings: string[] = [];
  process.on('warning', ({ message }) => {
    if (/without XLA/.test(message)) warnings.push(message);
  });
  return warnings;
}
