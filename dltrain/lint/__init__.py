"""What is valid and yet trains badly: the rules, their codes, and the comments that silence one."""
