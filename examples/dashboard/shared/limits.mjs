/** The maximum size of a file that the service accepts, in bytes. */
export const MAX_FILE_SIZE = 10 * 1024 * 1024;
