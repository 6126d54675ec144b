/* What was perhaps meant: edit distance with transposed neighbours counted as one mistake. */
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

#define MAX_WORD 40u

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/* Optimal string alignment; words longer than MAX_WORD are never near. */
static unsigned distance(const char *a, const char *b)
{
	unsigned row[3][MAX_WORD + 1];
	size_t na = strlen(a), nb = strlen(b);

	if (na > MAX_WORD || nb > MAX_WORD)
		return MAX_WORD;
	for (size_t j = 0; j <= nb; j++)
		row[0][j] = (unsigned)j;
	for (size_t i = 1; i <= na; i++) {
		unsigned *now = row[i % 3];
		const unsigned *before = row[(i + 2) % 3], *two_before = row[(i + 1) % 3];

		now[0] = (unsigned)i;
		for (size_t j = 1; j <= nb; j++) {
			unsigned d = before[j - 1] + (a[i - 1] != b[j - 1]);

			d = least(d, least(before[j], now[j - 1]) + 1);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				d = least(d, two_before[j - 2] + 1);
			now[j] = d;
		}
	}
	return row[na % 3][nb];
}

const char *dm_suggest(const char *typed, const char *const *names, size_t n)
{
	size_t len = strlen(typed);
	unsigned best = len <= 3 ? 2 : len <= 6 ? 3 : 4; /* one below this at the most */
	const char *found = NULL;

	for (size_t i = 0; i < n; i++) {
		unsigned d = distance(typed, names[i]);

		/* the beginning of a name is a better sign than its letters */
		if (len >= 2 && strncmp(typed, names[i], len) == 0)
			d = 1;
		if (d < best) {
			best = d;
			found = names[i];
		}
	}
	return found;
}
