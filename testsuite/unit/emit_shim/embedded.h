/* What embedded C sees in unit tests: no kernel is there, so only what the emitter itself needs. */
#include "script.h"

#define __maybe_unused __attribute__((unused))

static inline struct stp_str stp_c_str(const char *p)
{
	return (struct stp_str){ p ? p : "", p ? __builtin_strlen(p) : 0 };
}
