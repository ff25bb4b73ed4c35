"""Sensors beside a run: SCPI instruments, serial lines, Modbus; read and logged in a process of their own."""
