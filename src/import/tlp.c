#include "import/tlp.h"

#define RANK_UNRESOLVED 100

static const struct {
	const char *id, *label;
} known_id[] = {
	{"marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9", "TLP:WHITE"},
	{"marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da", "TLP:GREEN"},
	{"marking-definition--f88d31f6-486f-44da-b317-01333bde0b82", "TLP:AMBER"},
	{"marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed", "TLP:RED"},
	{"marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487", "TLP:CLEAR"},
	{"marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb", "TLP:GREEN"},
	{"marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421", "TLP:AMBER"},
	{"marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003", "TLP:AMBER+STRICT"},
	{"marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1", "TLP:RED"},
	{"marking-definition--826578e1-40ad-459f-bc73-ede076f81f37", "TLP:AMBER+STRICT"},
};

static const struct {
	const char *label;
	int rank;
} known_label[] = {
	{"TLP:WHITE", 1}, {"TLP:CLEAR", 1},	   {"TLP:GREEN", 2},
	{"TLP:AMBER", 3}, {"TLP:AMBER+STRICT", 4}, {"TLP:RED", 5},
};

const char *dm_tlp_of_id(struct dm_sv id)
{
	for (size_t i = 0; i < sizeof known_id / sizeof *known_id; i++)
		if (dm_sv_ieq(id, dm_sv_str(known_id[i].id)))
			return known_id[i].label;
	return NULL;
}

static void take(struct dm_marking *m, int rank, struct dm_sv text)
{
	size_t n = text.n < sizeof m->text - 1 ? text.n : sizeof m->text - 1;

	if (rank <= m->rank)
		return;
	m->rank = rank;
	/* cut between characters, not within one */
	while (n < text.n && n && ((unsigned char)text.p[n] & 0xc0) == 0x80)
		n--;
	memcpy(m->text, text.p, n);
	m->text[n] = 0;
}

void dm_marking_label(struct dm_marking *m, struct dm_sv label)
{
	for (size_t i = 0; i < sizeof known_label / sizeof *known_label; i++)
		if (dm_sv_ieq(label, dm_sv_str(known_label[i].label))) {
			take(m, known_label[i].rank, dm_sv_str(known_label[i].label));
			return;
		}
	dm_marking_unresolved(m, label);
}

void dm_marking_unresolved(struct dm_marking *m, struct dm_sv what)
{
	take(m, RANK_UNRESOLVED, what.n ? what : DM_SV("unresolved marking"));
}
