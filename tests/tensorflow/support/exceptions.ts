import type { Case } from '../../components/engine/support/compare.ts';

/** Kernels of which cases with NaN and infinities are left out, and why: KERNELS.md lists them. */
export const exceptions: { readonly [kernel: string]: string } = {
  Softmax: "a row with NaN gets 0 where the NaN was: oneDNN's kernel",
  _FusedMatMul: "relu of NaN is 0 where the library joins product and activation: oneDNN's kernel",
};

/** Why a case isn't compared; undefined where it is. */
export function exceptionOf(kernel: string, _case: Case, special: boolean): string | undefined {
  return special ? exceptions[kernel] : undefined;
}
