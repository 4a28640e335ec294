"""Mocks of the vendors, each as strict about what it is sent as the vendor is. Only Python's standard library."""
