/** The version of the package. The build replaces the name by a literal. */
declare const PACKAGE_VERSION: string;

export const VERSION = PACKAGE_VERSION;
