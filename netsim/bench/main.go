package main

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"runtime/pprof"
	"syscall"
	"time"
)

func cpu() time.Duration {
	var r syscall.Rusage
	syscall.Getrusage(0, &r)
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

func one(name string, f func(context.Context, int) (time.Duration, error)) {
	runtime.GC()
	const n = 256 << 20
	var a, b runtime.MemStats
	runtime.ReadMemStats(&a)
	c := cpu()
	d, err := f(context.Background(), n)
	c = cpu() - c
	runtime.ReadMemStats(&b)
	fmt.Printf("%-8s %6.0f MB/s  %5.2f CPU-s/GiB  %.2f mallocs/KiB %.0f B/KiB %v\n", name, n/1e6/d.Seconds(), c.Seconds()*(1<<30)/n, float64(b.Mallocs-a.Mallocs)/(n/1024), float64(b.TotalAlloc-a.TotalAlloc)/(n/1024), err)
}

func main() {
	if len(os.Args) > 1 {
		f, _ := os.Create(os.Args[1])
		pprof.StartCPUProfile(f)
		defer pprof.StopCPUProfile()
	}
	lab, err := newKernelLab(context.Background())
	if err != nil {
		fmt.Println(err)
	}
	defer lab.close()
	for range 3 {
		if os.Getenv("SKIPK") == "" {
			one("kernel", lab.flow)
		}
		one("ours", realFlow)
	}
}
