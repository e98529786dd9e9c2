"""Load for minutes or half an hour, while Valet is killed, or while all around it goes wrong."""
