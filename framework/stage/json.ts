/** Plain data: what configs, fingerprints and manifests are made of. No undefined, NaN, functions or instances. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** A JSON object. */
export type JsonObject = { readonly [key: string]: Json };
