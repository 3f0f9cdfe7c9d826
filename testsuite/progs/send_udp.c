/* send_udp ADDRESS PORT N: sends N datagrams of 100 bytes from an address to itself, of IPv4 or of IPv6, and
 * prints how many of them arrived there. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

int main(int argc, char **argv)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };
	struct sockaddr *to = (struct sockaddr *)&v4;
	socklen_t size = sizeof(v4);
	char text[100] = "datagram";
	int n, in, out, arrived = 0;

	if (argc != 4)
		return 2;
	v4.sin_port = v6.sin6_port = htons(atoi(argv[2]));
	if (strchr(argv[1], ':')) {
		to = (struct sockaddr *)&v6;
		size = sizeof(v6);
		inet_pton(AF_INET6, argv[1], &v6.sin6_addr);
	} else {
		inet_pton(AF_INET, argv[1], &v4.sin_addr);
	}
	in = socket(to->sa_family, SOCK_DGRAM, 0);
	out = socket(to->sa_family, SOCK_DGRAM, 0);
	if (bind(in, to, size)) {
		perror("bind");
		return 2;
	}
	for (n = atoi(argv[3]); n > 0; n--) {
		/* On the loopback device it has arrived when the call returns, or never will. */
		sendto(out, text, sizeof(text), 0, to, size);
		while (recv(in, text, sizeof(text), MSG_DONTWAIT) == sizeof(text))
			arrived++;
	}
	printf("%d arrived\n", arrived);
	return 0;
}
