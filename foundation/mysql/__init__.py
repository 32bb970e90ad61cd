"""The backend for MySQL and MariaDB, as DATABASES names it."""
