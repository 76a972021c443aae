print("normserve")
