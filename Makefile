.DEFAULT_GOAL := help
.PHONY: help run test check fuzz soak sanitize scan-tls bench bench-kernels numerics image test-image

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## Install what is missing, build, and serve on 127.0.0.1:8080; flags: make run ARGS="--port 9000"
	@scripts/run $(ARGS)

test: ## Set up all that the tests need and run all of them: unit tests, then end to end
	@scripts/test

check: ## Everything static: format, build without warnings, fixtures, kernel symbols, OpenAPI, shell scripts
	@scripts/check

fuzz: ## Fuzz all that reads untrusted bytes, 20 seconds each; flags: ARGS="--seconds 600", ARGS=--replay, ARGS=TARGET
	@scripts/fuzz $(ARGS)

soak: ## Mix clients that misbehave with others and check all answers; flags: make soak ARGS="--seconds 900 --tls"
	@scripts/soak $(ARGS)

sanitize: ## The tests under a sanitizer, or a short run under valgrind; ARGS="address", "thread" or "valgrind"
	@scripts/sanitize $(ARGS)

scan-tls: ## Have sslscan and testssl.sh look for weaknesses; rewrites docs/tls.md
	@scripts/scan-tls

bench: ## Measure against a bare echo server and FastAPI + PyTorch; rewrites Benchmarks/results.* and README.md
	@scripts/bench

bench-kernels: ## Measure the layers against three frameworks; rewrites docs/performance.md; flags: ARGS="--quick"
	@scripts/bench-kernels $(ARGS)

numerics: ## Measure the errors of the layers beside those of three frameworks; rewrites docs/numerics.md
	@scripts/bench-kernels --numerics $(ARGS)

image: ## Build the container image `normserve`, with Docker or buildah
	@scripts/build-image

test-image: ## Build the image with buildah, start it in a chroot, post a tensor, check its size (as root)
	@scripts/test-image
