/* The decoder of g711, compiled once more: an extension cannot call into another, and a call by way of Python for each
 * channel would cost more than its work. */
#include "_g711.c"
