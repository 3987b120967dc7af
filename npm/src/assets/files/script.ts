// The types of the exported scripts, which have no exports: the audio worker and the audio worklet.
export {};
