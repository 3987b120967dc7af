/** The largest file that the service takes, in bytes. */
export const LARGEST_FILE = 10 * 1024 * 1024;
