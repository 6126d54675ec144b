/* TLS hellos, their fingerprints, and certificates: each reader on the bytes. */
#include <assert.h>
#include <stdlib.h>

#include "import/digest.h"
#include "import/tls_hello.h"
#include "import/x509.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct dm_client_hello client;
	static struct dm_server_hello server;
	char ja3[33], ja4[37], buf[16], kind;
	struct dm_cert cert;
	struct dm_sv value;
	struct dm_buf name;

	assert(dm_digest_preload(NULL) == 0);
	(void)dm_client_hello_read(&client, data, size);
	dm_ja3(&client, ja3);
	dm_ja4(&client, 't', ja4);
	assert(strlen(ja3) == 32 && strlen(ja4) == 36);
	(void)dm_server_hello_read(&server, data, size);
	dm_ja3s(&server, ja3);
	assert(dm_tls_cipher_name(server.cipher, buf)[0] && dm_tls_version_name(server.selected, buf)[0] &&
	       dm_tls_group_name(server.group, buf)[0]);
	dm_buf_init(&name, 1u << 20);
	(void)dm_cert_read(&cert, dm_sv((const char *)data, size));
	dm_cert_name(&name, cert.subject);
	dm_cert_name(&name, cert.issuer);
	while (dm_cert_alternative(&cert.alternative, &kind, &value))
		dm_buf_sv(&name, value);
	dm_buf_done(&name);
	return 0;
}
